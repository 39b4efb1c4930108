"""A small Antenna: projects, and a heartbeat that the worker writes."""
