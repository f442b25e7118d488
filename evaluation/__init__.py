"""Measures of quality on messages that no training file holds. It reports numbers; it asserts nothing."""
