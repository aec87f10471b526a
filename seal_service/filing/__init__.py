"""Room: filing with the provincial registry (备案): entries become its messages, and go there."""
