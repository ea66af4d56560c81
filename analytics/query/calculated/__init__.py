"""Calculated fields: a small language of numbers, texts, columns, + - * /, comparisons and and, or, not.

It has no functions, so that nothing in it can reach outside, and both engines can be shown to mean the same by it.
"""
