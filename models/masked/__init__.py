"""What ``ardm`` alone needs: networks that fill in what is not known of an item, what they see, and schedules."""
