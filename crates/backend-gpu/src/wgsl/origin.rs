//! Whose line an array of a program is, for messages about its size: that of the statement which
//! makes it, or which reads it first.

use probpipe_lowering::{BufferId, Place, Program, Stmt};
use probpipe_trace::Loc;

/// Where the user's source asks for a buffer.
pub(crate) fn of_buffer(program: &Program, buffer: BufferId) -> Option<Loc> {
    find(&program.body, &|stmt| stmt.writes(buffer))
        .or_else(|| find(&program.body, &|stmt| stmt.reads(buffer)))
}

/// The same for an argument or a result.
pub(crate) fn of_place(program: &Program, wanted: impl Fn(&Place) -> bool) -> Option<Loc> {
    let at = program.buffers.iter().position(|buffer| wanted(&buffer.place))?;
    of_buffer(program, BufferId(at as u32))
}

/// The largest array in scratch memory, as a note.
pub(crate) fn largest_intermediate(program: &Program) -> Option<(String, Option<Loc>)> {
    let inside = program.buffers.iter().enumerate();
    let inside = inside.filter(|(_, buffer)| matches!(buffer.place, Place::Arena(_)));
    let (at, buffer) = inside.max_by_key(|(_, buffer)| buffer.ty.size())?;
    let what = format!("the largest of them, {}, comes", buffer.ty);
    Some((what, of_buffer(program, BufferId(at as u32))))
}

/// The innermost statement that does it.
fn find(body: &[Stmt], does: &dyn Fn(&Stmt) -> bool) -> Option<Loc> {
    let stmt = body.iter().find(|stmt| does(stmt))?;
    let within = stmt.bodies().into_iter().find_map(|body| find(body, does));
    within.or_else(|| Some(stmt.location()))
}
