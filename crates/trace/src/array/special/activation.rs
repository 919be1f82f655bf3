//! Activation functions of neural networks and the logistic family, stable in both tails.

use crate::array::elementwise::arithmetic::select;
use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;

impl Array {
    /// The logistic function `1 / (1 + exp(-x))`.
    #[track_caller]
    #[doc(alias = "lax.logistic")]
    #[doc(alias = "scipy.special.expit")]
    pub fn sigmoid(&self) -> Array {
        // exp of a negative number only: no overflow in the value or in its derivatives.
        let right = self.gt(0.0);
        let e = select(&right, -self, self).exp();
        select(&right, 1.0, &e) / (&e + 1.0)
    }

    /// `log(1 + exp(x))` without overflow.
    #[track_caller]
    pub fn softplus(&self) -> Array {
        let right = self.gt(0.0);
        select(&right, self, 0.0) + select(&right, -self, self).exp().log1p()
    }

    /// `log(sigmoid(x))`, exact in both tails.
    #[track_caller]
    pub fn log_sigmoid(&self) -> Array {
        -(-self).softplus()
    }

    /// `log(x / (1 - x))`, the inverse of [`Array::sigmoid`].
    #[track_caller]
    pub fn logit(&self) -> Array {
        // Around its zero the odds less one are exact where the odds are not.
        let near = self.gt(0.25) & self.lt(0.75);
        let middle = select(&near, self, 0.5);
        let excess = (&middle * 2.0 - 1.0) / (1.0 - &middle);
        let outer = select(&near, 0.5, self);
        select(&near, excess.log1p(), (&outer / (1.0 - &outer)).log())
    }

    /// `x` above zero, else 0; the derivative at zero is zero.
    #[track_caller]
    pub fn relu(&self) -> Array {
        select(&self.le(0.0), 0.0, self)
    }

    /// `x` held between 0 and 6.
    #[track_caller]
    pub fn relu6(&self) -> Array {
        self.relu().minimum(6.0)
    }

    /// `x` weighted by the normal distribution function.
    #[track_caller]
    pub fn gelu(&self) -> Array {
        self * self.ndtr()
    }

    /// [`Array::gelu`] by the usual approximation with `tanh`.
    #[track_caller]
    pub fn gelu_tanh(&self) -> Array {
        // (1 + tanh(u))/2 = sigmoid(2 u)
        let u = (self + self.powi(3) * 0.044715) * (8.0 / std::f64::consts::PI).sqrt();
        self * u.sigmoid()
    }

    /// `x sigmoid(x)`.
    #[track_caller]
    #[doc(alias = "nn.swish")]
    pub fn silu(&self) -> Array {
        self * self.sigmoid()
    }

    /// `x` above zero, else `alpha (exp(x) - 1)`.
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Array {
        let positive = self.gt(0.0);
        select(&positive, self, select(&positive, 0.0, self).expm1() * alpha)
    }

    /// The self-normalising [`Array::elu`].
    #[track_caller]
    pub fn selu(&self) -> Array {
        // The constants that keep mean 0 and variance 1 fixed (Klambauer et al. 2017).
        self.elu(1.673_263_242_354_377_2) * 1.050_700_987_355_480_5
    }

    /// `x` above zero, else `alpha (exp(x / alpha) - 1)`: an elu whose slope is continuous.
    #[track_caller]
    pub fn celu(&self, alpha: f64) -> Array {
        (self / alpha).elu(1.0) * alpha
    }

    /// `x` above zero, else `slope x`.
    #[track_caller]
    pub fn leaky_relu(&self, slope: f64) -> Array {
        select(&self.ge(0.0), self, self * slope)
    }

    /// `x` held between -1 and 1, with slope 1 at both ends.
    #[track_caller]
    pub fn hard_tanh(&self) -> Array {
        select(&self.gt(1.0), 1.0, select(&self.lt(-1.0), -1.0, self))
    }

    /// `x / (1 + |x|)`.
    #[track_caller]
    pub fn soft_sign(&self) -> Array {
        let size = select(&self.lt(0.0), -self, self);
        self / (size + 1.0)
    }

    /// `x tanh(softplus(x))`.
    #[track_caller]
    pub fn mish(&self) -> Array {
        self * self.softplus().tanh()
    }

    /// The first half along `axis` weighted by the sigmoid of the second.
    #[track_caller]
    pub fn glu(&self, axis: isize) -> Array {
        let n = match resolve_axes("glu", self, &[axis]) {
            Ok(axes) => self.shape()[axes[0]],
            Err(error) => return Array::invalid(error, here()),
        };
        if n % 2 == 1 {
            let error = Error::new(
                ErrorKind::Shape,
                format!("`glu` halves an axis, but axis {axis} has {n} entries"),
            )
            .help("give an axis of even extent");
            return Array::invalid(error, here());
        }
        self.slice_axis(axis, 0..n / 2) * self.slice_axis(axis, n / 2..n).sigmoid()
    }
}
