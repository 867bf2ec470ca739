"""The joint standard: its data, its checks and its reports."""
