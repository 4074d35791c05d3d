"""Line lists: reading a file, comparing it with what is known, and taking it in."""
