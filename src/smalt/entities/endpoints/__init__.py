"""Endpoints and their deployments, online, batch and serverless.

smalt stores them and serves nothing; packages of models belong in `assets`.
"""
