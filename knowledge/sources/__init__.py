"""Where knowledge comes from: one small port, one module for each kind of source."""
