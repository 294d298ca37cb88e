"""Perform one method of a connector: render, authenticate, keep to the vendor's pace, send, judge the answer."""
