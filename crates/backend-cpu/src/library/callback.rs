//! Functions of the host, called from compiled code. What fails in one is kept for the end of the
//! call of the program; until then its results are NaN, or zero where there is no NaN, so that
//! every element that the program reads is written and no loop waits for a condition.

use probpipe_trace::{Callback, DType, Error, HostBuffer, Loc, Result, Value};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

thread_local! {
    /// The first failure of the program that this thread runs.
    static FAILURE: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Runs a program and gives the first failure of the functions that it called. Programs nest: such
/// a function may call one.
pub(crate) fn with_failure(run: impl FnOnce()) -> Option<Error> {
    let outer = FAILURE.take();
    run();
    FAILURE.replace(outer)
}

/// What is called, and the user's line.
#[derive(Debug)]
pub(crate) struct HostCall {
    pub(crate) callback: Arc<Callback>,
    pub(crate) location: Loc,
}

impl HostCall {
    fn run(&self, operands: &[&[u8]], results: &mut [&mut [u8]]) -> Result<()> {
        let values = operands
            .iter()
            .zip(&self.callback.inputs)
            .map(|(bytes, ty)| {
                let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
                buffer.bytes_mut().copy_from_slice(bytes);
                Ok(Value::host(ty.clone(), buffer))
            })
            .collect::<Result<Vec<Value>>>()?;
        for (to, value) in results.iter_mut().zip(self.callback.call(&values)?) {
            to.copy_from_slice(value.to_host()?.bytes());
        }
        Ok(())
    }
}

/// Behind the door: `(descriptor, addresses of the operands, then of the results)`.
///
/// # Safety
/// The descriptor lives; every address is that of a row-major array of the type that the callback
/// declares, aligned to its elements, and results overlap nothing.
pub(crate) unsafe fn host_call(descriptor: *const HostCall, addresses: *const usize) {
    // SAFETY: the executable that owns the running code owns the descriptor.
    let call = unsafe { &*descriptor };
    let (inputs, outputs) = (&call.callback.inputs, &call.callback.outputs);
    // SAFETY: the emitter wrote one address per operand and result before the call.
    let addresses = unsafe { std::slice::from_raw_parts(addresses, inputs.len() + outputs.len()) };
    let (from, to) = addresses.split_at(inputs.len());
    let operands: Vec<&[u8]> = from
        .iter()
        .zip(inputs)
        // SAFETY: the caller promised an array of this type, which nothing writes meanwhile.
        .map(|(&at, ty)| unsafe { std::slice::from_raw_parts(at as *const u8, ty.bytes()) })
        .collect();
    for (&at, ty) in to.iter().zip(outputs) {
        let byte = if matches!(ty.dtype, DType::F32 | DType::F64) { 0xff } else { 0 };
        // SAFETY: as above; this also makes every byte of the results one that may be read.
        unsafe { std::ptr::write_bytes(at as *mut u8, byte, ty.bytes()) };
    }
    let mut results: Vec<&mut [u8]> = to
        .iter()
        .zip(outputs)
        // SAFETY: as above, and results overlap nothing.
        .map(|(&at, ty)| unsafe { std::slice::from_raw_parts_mut(at as *mut u8, ty.bytes()) })
        .collect();
    // `call` catches panics of the function; nothing else unwinds into compiled code either.
    let done = catch_unwind(AssertUnwindSafe(|| call.run(&operands, &mut results)));
    let error = match done {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(_) => {
            Error::new(probpipe_trace::ErrorKind::Internal, "the call of a callback panicked")
        }
    };
    FAILURE.with_borrow_mut(|first| {
        first.get_or_insert(error.at(call.location));
    });
}
