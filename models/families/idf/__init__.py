"""What ``idf`` alone needs: the flow, its networks, how images are cut, and their colours."""
