"""The socket protocol: newline-delimited JSON-RPC 2.0.  Import the parts by name; nothing is imported here."""
