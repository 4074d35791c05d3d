"""No tables. The module is here because Django tells only apps that have one that migrations are done."""
