//! The buffer plan: every intermediate gets an offset in one arena; those that are never alive
//! together share space.

use super::Context;
use crate::program::*;

/// When a buffer is first and last touched, in statement numbers.
#[derive(Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

/// Sets the offset of every intermediate buffer; gives the size of the arena in bytes.
pub(super) fn plan(cx: &mut Context, body: &mut [Stmt]) -> usize {
    let mut lives: Vec<Option<Life>> = vec![None; cx.buffers.len()];
    let mut clock = 0;
    let mut loops = Vec::new();
    walk(body, &mut clock, &mut lives, &mut loops);
    // What a loop leaves behind (stacked results) is written entry by entry: it lives from the
    // start of the loop, or the temporaries of later iterations would overwrite earlier entries.
    for (start, end) in loops {
        for life in lives.iter_mut().flatten() {
            if life.first > start && life.first < end && life.last > end {
                life.first = start;
            }
        }
    }

    let mut order: Vec<usize> = (0..lives.len())
        .filter(|&b| lives[b].is_some() && matches!(cx.buffers[b].place, Place::Arena(_)))
        .collect();
    order.sort_by_key(|&b| lives[b].map(|l| l.first));
    // (offset, end, last use) of the buffers alive, by offset.
    let mut alive: Vec<(usize, usize, usize)> = Vec::new();
    let mut total = 0;
    for b in order {
        let Some(life) = lives[b] else { continue };
        let ty = &cx.buffers[b].ty;
        let bytes = ty.size() * (cx.options.element_bytes)(ty.dtype);
        let size = bytes.max(1).next_multiple_of(cx.options.alignment);
        alive.retain(|&(_, _, last)| last >= life.first);
        let mut offset = 0;
        let mut at = 0;
        while at < alive.len() && alive[at].0 < offset + size {
            offset = offset.max(alive[at].1);
            at += 1;
        }
        alive.insert(at, (offset, offset + size, life.last));
        total = total.max(offset + size);
        cx.buffers[b].place = Place::Arena(offset);
    }
    // Buffers that nothing touches keep a valid place.
    for buffer in &mut cx.buffers {
        if matches!(buffer.place, Place::Arena(usize::MAX)) {
            buffer.place = Place::Arena(0);
        }
    }
    total
}

/// Records lives, and the first and last number of every loop, inner loops first.
fn walk(
    body: &[Stmt],
    clock: &mut usize,
    lives: &mut [Option<Life>],
    loops: &mut Vec<(usize, usize)>,
) {
    for stmt in body {
        let now = *clock;
        *clock += 1;
        match stmt {
            Stmt::Kernel(kernel) => {
                for expr in &kernel.exprs {
                    if let Expr::Load { buffer, .. } | Expr::LoadAt { buffer, .. } = expr {
                        touch(lives, *buffer, now);
                    }
                }
                for store in &kernel.stores {
                    touch(lives, store.buffer, now);
                }
            }
            Stmt::Library(library) => {
                for view in library.call.views() {
                    touch(lives, view.buffer, now);
                }
            }
            Stmt::Loop(l) => walk_loop(&[&l.body], None, now, clock, lives, loops),
            Stmt::While(w) => {
                walk_loop(&[&w.cond, &w.body], Some(w.test), now, clock, lives, loops);
            }
            Stmt::Branch(branch) => {
                touch(lives, branch.index, now);
                for body in &branch.branches {
                    walk(body, clock, lives, loops);
                }
            }
        }
    }
}

/// The parts of a loop, of which the first may write the number that decides on the others.
fn walk_loop(
    parts: &[&[Stmt]],
    test: Option<BufferId>,
    now: usize,
    clock: &mut usize,
    lives: &mut [Option<Life>],
    loops: &mut Vec<(usize, usize)>,
) {
    let before: Vec<bool> = lives.iter().map(Option::is_some).collect();
    for (i, part) in parts.iter().enumerate() {
        walk(part, clock, lives, loops);
        if let (0, Some(test)) = (i, test) {
            touch(lives, test, *clock);
            *clock += 1;
        }
    }
    let end = *clock;
    *clock += 1;
    loops.push((now, end));
    // What lived before the loop and is touched in it must live through all of it.
    for (life, before) in lives.iter_mut().zip(before) {
        if let Some(life) = life
            && before
            && life.last >= now
        {
            life.last = end;
        }
    }
}

fn touch(lives: &mut [Option<Life>], buffer: BufferId, now: usize) {
    let life = lives[buffer.0 as usize].get_or_insert(Life { first: now, last: now });
    life.last = now;
}
