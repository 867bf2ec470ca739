"""Outputs take the picture to tools: one file for each output, behind one protocol."""
