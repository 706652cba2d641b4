"""Schedules with their triggers and actions, and the monitors and their signals, which smalt keeps and does not run.

A job of a schedule is checked by its own noun in `jobs`.
"""
