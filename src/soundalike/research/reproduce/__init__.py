"""The paper's tables from Slakh2100 and the released answers, cell by cell beside the paper's, and ours beyond them."""
