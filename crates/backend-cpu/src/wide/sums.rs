//! Sums at places that are known before the numbers are, as where rows of a table belong to groups:
//! an instruction an update, one after the other. A loop over short lists of different lengths
//! would mostly wait for guesses of where they end.

use super::assembler::*;
use probpipe_trace::DType;
use probpipe_trace::eval::Groups;

/// Most instructions: more would drive the rest of a program out of the caches of code.
const MOST: usize = 2048;

/// Sums that are made side by side, for each addition waits for the one before.
const ABREAST: usize = 8;

/// Code that adds to each element of an array its updates, all of them `f32` or all `f64`, in their
/// order. Its parameters are the addresses of the updates, of the array of `extent` elements, and
/// of the result, which may be that of the array: `None` if that would be long.
pub(crate) fn sums(
    dtype: DType,
    groups: &Groups,
    extent: usize,
    in_place: bool,
) -> Option<Vec<u8>> {
    let (updates, array, out) = (RDI, RSI, RDX);
    let mut asm = Assembler::default();
    let mut left = MOST;
    let size = dtype.size();
    let mut scalar = |act, register, base, element: usize| {
        left = left.checked_sub(1)?;
        let at = i32::try_from(element * size).ok()?;
        asm.scalar(act, dtype == DType::F64, register, base, at);
        Some(())
    };
    if !in_place {
        let mut named = vec![false; extent];
        groups.lists().for_each(|(at, _)| named[at] = true);
        for at in (0..extent).filter(|&at| !named[at]) {
            scalar(Scalar::Load, 0, array, at)?;
            scalar(Scalar::Store, 0, out, at)?;
        }
    }
    let mut waiting = groups.lists();
    let mut running: [Option<(usize, &[u32])>; ABREAST] = [None; ABREAST];
    loop {
        let mut done = true;
        for (register, list) in (0..).zip(&mut running) {
            match list {
                None => {
                    *list = waiting.next();
                    let Some((at, _)) = *list else { continue };
                    scalar(Scalar::Load, register, array, at)?;
                }
                Some((_, [first, rest @ ..])) => {
                    scalar(Scalar::Add, register, updates, *first as usize)?;
                    *list = list.map(|(at, _)| (at, rest));
                }
                Some((at, [])) => {
                    scalar(Scalar::Store, register, out, *at)?;
                    *list = None;
                }
            }
            done = false;
        }
        if done {
            break;
        }
    }
    asm.leave();
    Some(asm.finish())
}
