"""Pages of the cases room, split by what a person does there."""
