"""The supervisor process: started on demand, one per instance.  Import the parts by name; nothing is imported here."""
