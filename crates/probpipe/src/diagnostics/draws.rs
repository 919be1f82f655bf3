//! Draws as the formulas read them: arrays taken apart into the chains of one quantity after
//! another, all in `f64`, and what is refused on the way. Nothing here is recorded in a program.

use probpipe_trace::{Array, DType, Error, ErrorKind, Result, Value, here};

/// The draws of one quantity, chain behind chain.
pub(super) struct Chains {
    pub values: Vec<f64>,
    /// In each chain.
    pub draws: usize,
}

impl Chains {
    /// The chains, one by one.
    pub fn each(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.draws.max(1))
    }

    /// Number of chains.
    pub fn count(&self) -> usize {
        self.each().len()
    }

    /// Another quantity in place of each draw.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Chains {
        Chains { values: self.values.iter().map(|&x| f(x)).collect(), draws: self.draws }
    }

    /// The first and the last half of each chain as chains; the middle of an odd number of draws
    /// is in neither.
    pub fn split(&self) -> Chains {
        let half = self.draws / 2;
        let ends = |chain: &[f64]| [&chain[..half], &chain[self.draws - half..]].concat();
        Chains { values: self.each().flat_map(ends).collect(), draws: half }
    }

    /// Whether there is nothing to say: a draw that is no number, or fewer draws or chains than a
    /// formula needs.
    pub fn unfit(&self, least_chains: usize) -> bool {
        const LEAST_DRAWS: usize = 4;
        self.draws < LEAST_DRAWS
            || self.count() < least_chains
            || self.values.iter().any(|x| x.is_nan())
    }

    /// The draws moved and stretched to lie between 0 and 1, where squares neither overflow nor
    /// vanish, for measures that do not ask for place or scale; NaN among them where a draw is
    /// infinite. None where all draws are equal, but for rounding.
    pub fn in_units(&self) -> Option<Chains> {
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // The largest numbers are further apart than any number.
        let width = high / 4.0 - low / 4.0;
        let equal = width <= 1e-15 * (low / 4.0).abs().max((high / 4.0).abs());
        if equal && width.is_finite() && !self.values.iter().any(|x| x.is_nan()) {
            return None;
        }
        Some(self.map(|x| (x / 4.0 - low / 4.0) / width))
    }

    /// The draws as parts of the largest in size, and that size. None where all are zero.
    pub fn in_proportion(&self) -> Option<(Chains, f64)> {
        let largest = self.values.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        (largest != 0.0).then(|| (self.map(|x| x / largest), largest))
    }
}

/// The draws of all quantities that an array `[chains, draws, ...]` holds.
pub(super) struct Draws {
    data: Vec<f64>,
    chains: usize,
    draws: usize,
    /// The extents behind the first two, one quantity for each element.
    shape: Vec<usize>,
}

impl Draws {
    /// Reads an array of floats. `what` is the function that the user called.
    #[track_caller]
    pub fn read(what: &str, array: &Array) -> Result<Draws> {
        let value = array.value()?;
        if !value.ty().dtype.is_float() {
            let message = format!("`{what}` takes draws that are floats, not {}", value.ty());
            return Err(Error::new(ErrorKind::DType, message)
                .at(here())
                .note("the draws were made", Some(array.location()))
                .help("convert them with `.cast(DType::F64)`"));
        }
        Draws::of(what, array, &value)
    }

    /// Reads an array of any element type, truth values as 0 and 1.
    #[track_caller]
    pub fn read_any(what: &str, array: &Array) -> Result<Draws> {
        Draws::of(what, array, &array.value()?)
    }

    #[track_caller]
    fn of(what: &str, array: &Array, value: &Value) -> Result<Draws> {
        let location = here();
        let refuse = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Shape, message)
                .at(location)
                .note("the draws were made", Some(array.location()))
                .help(help))
        };
        let ty = value.ty();
        let [chains, draws, ref shape @ ..] = ty.shape[..] else {
            let message = format!("`{what}` takes draws of shape [chains, draws, ...], not {ty}");
            return refuse(message, "one chain has an extent of 1 in front: see `reshape`");
        };
        if chains == 0 || draws == 0 {
            let message = format!("`{what}` of no draws: {ty} is [chains, draws, ...]");
            return refuse(message, "chains come first, draws second: see `swap_axes`");
        }
        Ok(Draws { data: floats(value)?, chains, draws, shape: shape.to_vec() })
    }

    /// The extents of what is drawn.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of chains.
    pub fn chains(&self) -> usize {
        self.chains
    }

    /// Number of draws in each chain.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// One draw after the other, with all that it holds.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let width: usize = self.shape.iter().product();
        (0..self.chains * self.draws).map(move |i| &self.data[i * width..][..width])
    }

    /// Does something with each quantity in turn.
    pub fn each(&self, mut f: impl FnMut(&Chains)) {
        // A few at a time, so that a line of memory is read once.
        const BLOCK: usize = 16;
        let width: usize = self.shape.iter().product();
        for start in (0..width).step_by(BLOCK) {
            let block = BLOCK.min(width - start);
            let mut columns = vec![Vec::with_capacity(self.chains * self.draws); block];
            for row in self.rows() {
                for (column, &x) in columns.iter_mut().zip(&row[start..]) {
                    column.push(x);
                }
            }
            for values in columns {
                f(&Chains { values, draws: self.draws });
            }
        }
    }

    /// A number for each quantity, as an array of the extents of what is drawn.
    pub fn number(&self, f: impl Fn(&Chains) -> f64) -> Array {
        self.numbers([], |chains, into| into.push(f(chains)))
    }

    /// As many numbers for each quantity as `extents` hold, which are the last axes.
    pub fn numbers<const N: usize>(
        &self,
        extents: [usize; N],
        f: impl Fn(&Chains, &mut Vec<f64>),
    ) -> Array {
        let mut all = Vec::new();
        self.each(|chains| f(chains, &mut all));
        Array::from_slice(&all, [&self.shape[..], &extents].concat())
    }

    /// Numbers for each quantity, as an array whose first axes are `extents`.
    pub fn numbers_first<const N: usize>(
        &self,
        extents: [usize; N],
        f: impl Fn(&Chains) -> Vec<f64>,
    ) -> Array {
        let width: usize = self.shape.iter().product();
        let mut all = vec![0.0; width * extents.iter().product::<usize>()];
        let mut at = 0;
        self.each(|chains| {
            for (i, x) in f(chains).into_iter().enumerate() {
                all[i * width + at] = x;
            }
            at += 1;
        });
        Array::from_slice(&all, [&extents, &self.shape[..]].concat())
    }
}

/// The elements as floats.
pub(super) fn floats(value: &Value) -> Result<Vec<f64>> {
    Ok(match value.ty().dtype {
        DType::F64 => value.to_vec::<f64>()?,
        DType::F32 => value.to_vec::<f32>()?.into_iter().map(f64::from).collect(),
        _ => value.to_scalars()?.into_iter().map(|x| x.as_f64()).collect(),
    })
}

/// Refuses what is no probability.
#[track_caller]
pub(super) fn probability(what: &str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    let message = format!("{what} takes a probability, not {p}");
    Err(Error::new(ErrorKind::Value, message).at(here()).help("it lies between 0 and 1"))
}
