"""Drawings of graphs as SVG: left to right in time, the same bytes for the same graph, nothing from elsewhere.

`svg.render` is the only door. Lengths inside are integers, in tenths of a pixel.
"""
