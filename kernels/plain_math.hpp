// Functions of doubles that give the same bits on every machine: additions, multiplications and divisions in one order.
// libm's are chosen by the CPU when the program starts; those with fused multiply-adds now and then round the last bit
// otherwise, and a learning rate or a softmax would carry that into the weights.
#pragma once

#include <cstdint>

namespace lockstep::kernels {

double power(double base, std::uint64_t exponent);  // about log2(exponent) roundings

// cos(pi * x) for x from 0 to 1, within 1e-15; exact at 0, 1/2 and 1.
double cosine_of_half_turns(double x);

// log(x) within 2 units in the last place for normal x. As libm's at 0, at infinity, below 0 and for NaN.
double natural_logarithm(double x);

}  // namespace lockstep::kernels
