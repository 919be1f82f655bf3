//! What a program lacks memory for, told when there is none: the result or the intermediate array,
//! and the user's line that makes it.

use probpipe_lowering::{Buffer, BufferId, LibraryCall, Place, Program, Stmt};
use probpipe_trace::{Error, Loc};

/// The error that there is no memory for a result, or for the intermediate arrays of a program, of
/// which the largest is named.
#[cold]
pub(crate) fn short_of(error: Error, program: &Program, output: Option<usize>) -> Error {
    let wanted = |buffer: &&Buffer| match (&buffer.place, output) {
        (Place::Output(k), Some(output)) => *k == output,
        (Place::Arena(_), None) => true,
        _ => false,
    };
    let Some(largest) = program.buffers.iter().filter(wanted).max_by_key(|b| b.ty.bytes()) else {
        return error;
    };
    let written = |id: BufferId| std::ptr::eq(program.buffer(id), largest);
    let what = if output.is_some() { "a result" } else { "an intermediate array" };
    error.note(format!("{what} of the program is {}", largest.ty), writer(&program.body, &written))
}

/// The line of the first statement that writes such a buffer.
fn writer(body: &[Stmt], written: &impl Fn(BufferId) -> bool) -> Option<Loc> {
    body.iter().find_map(|stmt| match stmt {
        Stmt::Kernel(kernel) => {
            kernel.stores.iter().any(|store| written(store.buffer)).then_some(kernel.location)
        }
        Stmt::Library(library) => {
            let call: &LibraryCall = &library.call;
            call.views().iter().any(|view| written(view.buffer)).then_some(library.location)
        }
        Stmt::Loop(stmt) => writer(&stmt.body, written),
        Stmt::While(stmt) => writer(&stmt.body, written).or_else(|| writer(&stmt.cond, written)),
        Stmt::Branch(stmt) => stmt.branches.iter().find_map(|list| writer(list, written)),
    })
}
