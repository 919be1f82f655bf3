//! Makes this backend known as the one that computes large operations outside of traces, in every
//! program that it is linked into: no call of such a program needs to come here first.

use crate::Cpu;
use probpipe_trace::{Backend, compute_large_on};
use std::sync::Arc;

/// Runs before `main`, where the linker knows such a list of functions.
// SAFETY: the section is a list of functions of this type; this one stores a pointer, and needs
// nothing of the runtime that starts afterwards.
#[used]
#[cfg_attr(
    any(target_os = "linux", target_os = "android", target_os = "freebsd"),
    unsafe(link_section = ".init_array")
)]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
static REGISTER: extern "C" fn() = register;

extern "C" fn register() {
    compute_large_on(|| -> Arc<dyn Backend> { Arc::new(Cpu) });
}
