"""What is stored on people, channels and documents: where it stands, how it is forgotten, and how it is handed out."""
