"""The clipboards of sessions: who put what there, told by processes of their own with the rights of each session."""
