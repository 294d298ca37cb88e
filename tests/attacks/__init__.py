"""Attacks that went through: each fact stands here until it holds."""
