"""The guided tour: a scratch stick, a scratch sync folder, invented documents, and a Serment of its own that acts."""
