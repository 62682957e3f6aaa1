"""Faults: programs killed, power cut, one command sent many times at one instant; with the shared fault tools."""
