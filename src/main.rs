//! The binary: everything is in the library.

use std::process::ExitCode;

/// Faster than the system's under many small allocations, and steadier in memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    masthead::cli::main()
}
