"""Schedules with their triggers, and the monitors and their signals that run on schedules.

smalt stores them and runs none; a job of a schedule is checked by its own noun in `jobs`.
"""
