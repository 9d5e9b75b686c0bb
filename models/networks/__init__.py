"""Networks that give logits or PMFs, whatever the family: exact integers only."""
