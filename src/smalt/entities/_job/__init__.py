"""Private places of the official SDK that programs import from."""
