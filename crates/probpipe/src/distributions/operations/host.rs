//! Draws on the host, by the traits of the crate `rand`: for code that asks for one number at a
//! time of a generator with a state.

use crate::distributions::Sample;
use crate::record::Record;
use probpipe_trace::{Array, Key, Shape};
use rand::Rng;

/// A distribution as one of the crate `rand`: each draw takes 64 bits of a generator for a key of
/// its own. It gives arrays, records, and of numbers also `f64`, which is NaN where the
/// distribution is invalid or has more than one number.
///
/// A draw runs the whole sampler, which costs some microseconds: many draws are faster drawn at
/// once, from a [`Key`] that [`Key::from_rng`] makes of the generator.
#[derive(Clone, Copy, Debug)]
pub struct HostSampler<'a, D> {
    distribution: &'a D,
}

/// Every distribution that has draws, for generators of the crate `rand`.
pub trait HostDraws: Sample + Sized {
    /// This distribution as one of the crate `rand`.
    ///
    /// ```
    /// use probpipe::HostDraws;
    /// use probpipe::prelude::*;
    /// use rand::distr::Distribution as _;
    /// # struct Counter(u64);
    /// # impl rand::TryRng for Counter {
    /// #     type Error = std::convert::Infallible;
    /// #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
    /// #         Ok(self.try_next_u64()? as u32)
    /// #     }
    /// #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
    /// #         self.0 += 1;
    /// #         Ok(self.0)
    /// #     }
    /// #     fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let mut rng = Counter(0);
    /// let normal = Normal::new(0.0, 1.0);
    /// let x: f64 = normal.on_host().sample(&mut rng);
    /// let more: Vec<f64> = normal.on_host().sample_iter(&mut rng).take(3).collect();
    /// assert!(x.is_finite() && more.iter().all(|y| *y != x));
    /// ```
    fn on_host(&self) -> HostSampler<'_, Self> {
        HostSampler { distribution: self }
    }
}

impl<D: Sample> HostDraws for D {}

impl<D: Sample<Value = Array>> rand::distr::Distribution<Array> for HostSampler<'_, D> {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Array {
        self.distribution.sample_shape(Key::new(rng.next_u64()), Shape::new())
    }
}

impl<D: Sample<Value = Record>> rand::distr::Distribution<Record> for HostSampler<'_, D> {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Record {
        self.distribution.sample_shape(Key::new(rng.next_u64()), Shape::new())
    }
}

impl<D: Sample<Value = Array>> rand::distr::Distribution<f64> for HostSampler<'_, D> {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let draw: Array = self.sample(rng);
        let scalars = draw.value().and_then(|value| value.to_scalars());
        match scalars.as_deref() {
            Ok([number]) => number.as_f64(),
            _ => f64::NAN,
        }
    }
}
