//! Loops and branches as part of a program: each piece is traced once, outer arrays that it uses
//! are captured.

mod associative;
mod branch;
mod checks;
pub(crate) mod scan;
mod while_loop;

pub use associative::associative_scan;
pub use branch::{Branches, cond, switch};
pub use scan::{ScanOptions, fori_loop, map, scan, scan_n, scan_reverse};
pub use while_loop::{fori_loop_dynamic, while_loop};
