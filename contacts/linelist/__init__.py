"""Links of a line list: who infected whom, taken in beside the cases they join."""
