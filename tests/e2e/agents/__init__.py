"""The real agent programs, offline: where they are, a scripted model, a throwaway home and a network of their own."""
