"""What napari shows: four widgets and a command, each a room that imports only `shared`."""
