"""Other systems driven through the same work, for orientation; never part of the gate."""
