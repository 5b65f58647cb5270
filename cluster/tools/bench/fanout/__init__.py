"""Fan-out: one hub process, thousands of sockets, and how late the last of them hears."""
