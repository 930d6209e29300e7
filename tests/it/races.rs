//! Several at once on one article: whatever the order, the newsroom ends in one consistent state.
