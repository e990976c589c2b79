//! What a dead letter advises to do next.

/// Every next action that a dead letter advises: to look into the input, or to mend its schema and read it again.
pub const NEXT_ACTIONS: [&str; 2] = [INVESTIGATE, FIX_SCHEMA];
/// The input itself is at fault.
pub const INVESTIGATE: &str = "investigate";
/// Its schema is missing or does not fit.
pub const FIX_SCHEMA: &str = "fix_schema";
