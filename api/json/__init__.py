"""Our own JSON: what REST and Socket.IO have in common, requests read and views made."""
