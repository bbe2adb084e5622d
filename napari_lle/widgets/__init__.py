"""What napari shows: three widgets and a command, each a room that imports only `shared`."""
