"""Texts of membrane currents that several published models share.

Each is a block of Brian2 equations for the gates of one current; the model that uses it says what flows through them.
A gate's rate is written with `exprel(x) = (exp(x) - 1)/x`, which has no singularity, and with whole numbers in its
argument, which Brian2's exponential Euler before 2.11 needs. A block uses the warming factor that its comment names.
"""

# Sodium (m, h) and delayed rectifier (n) of Traub & Miles 1991, in the form with an adjustable threshold V_T.
# Needs: gate_warming, V_T.
TRAUB_MILES = """
dm/dt = gate_warming*(alpha_m*(1 - m) - beta_m*m) : 1
alpha_m = 1.28/exprel((13*mV - v + V_T)/(4*mV))/ms : Hz
beta_m = 1.4/exprel((v - V_T - 40*mV)/(5*mV))/ms : Hz
dh/dt = gate_warming*(alpha_h*(1 - h) - beta_h*h) : 1
alpha_h = 0.128*exp((17*mV - v + V_T)/(18*mV))/ms : Hz
beta_h = 4/(1 + exp((40*mV - v + V_T)/(5*mV)))/ms : Hz
dn/dt = gate_warming*(alpha_n*(1 - n) - beta_n*n) : 1
alpha_n = 0.16/exprel((15*mV - v + V_T)/(5*mV))/ms : Hz
beta_n = 0.5*exp((10*mV - v + V_T)/(40*mV))/ms : Hz
"""

# Slow potassium current (p) of Yamada et al. 1989. Needs: m_current_warming, tau_max.
M_CURRENT = """
dp/dt = m_current_warming*(p_inf - p)/tau_p : 1
p_inf = 1/(1 + exp(-(v + 35*mV)/(10*mV))) : 1
tau_p = tau_max/(3.3*exp((v + 35*mV)/(20*mV)) + exp(-(v + 35*mV)/(20*mV))) : second
"""

# High-threshold calcium current (q, r) of Reuveni et al. 1993. Needs: l_calcium_warming.
L_CALCIUM = """
dq/dt = l_calcium_warming*(alpha_q*(1 - q) - beta_q*q) : 1
alpha_q = 0.209/exprel(5*(-27*mV - v)/(19*mV))/ms : Hz
beta_q = 0.94*exp((-75*mV - v)/(17*mV))/ms : Hz
dr/dt = l_calcium_warming*(alpha_r*(1 - r) - beta_r*r) : 1
alpha_r = 0.000457*exp((-13*mV - v)/(50*mV))/ms : Hz
beta_r = 0.0065/(exp((-15*mV - v)/(28*mV)) + 1)/ms : Hz
"""

# Low-threshold calcium current (s at its steady state, u) of Huguenard & McCormick 1992.
# Needs: t_calcium_warming, V_x (the shift for external calcium).
T_CALCIUM = """
s_inf = 1/(1 + exp(-(v + V_x + 57*mV)/(6.2*mV))) : 1
du/dt = t_calcium_warming*(u_inf - u)/tau_u : 1
u_inf = 1/(1 + exp((v + V_x + 81*mV)/(4*mV))) : 1
tau_u = (30.8 + (211.4 + exp((v + V_x + 113.2*mV)/(5*mV)))/(1 + exp((v + V_x + 84*mV)/(3.2*mV))))*ms : second
"""

# Sodium (m, h), delayed rectifier (n) and A current (a, b) of Connor et al. 1977, in the form of Dayan & Abbott 2001.
# Needs: gate_warming.
CONNOR_STEVENS = """
dm/dt = gate_warming*(alpha_m*(1 - m) - beta_m*m) : 1
alpha_m = 3.8/exprel(-0.1*(v + 29.7*mV)/mV)/ms : Hz
beta_m = 15.2*exp(-0.0556*(v + 54.7*mV)/mV)/ms : Hz

dh/dt = gate_warming*(alpha_h*(1 - h) - beta_h*h) : 1
alpha_h = 0.266*exp(-0.05*(v + 48*mV)/mV)/ms : Hz
beta_h = 3.8/(1 + exp(-0.1*(v + 18*mV)/mV))/ms : Hz

dn/dt = gate_warming*(alpha_n*(1 - n) - beta_n*n) : 1
alpha_n = 0.2/exprel(-0.1*(v + 45.7*mV)/mV)/ms : Hz
beta_n = 0.25*exp(-0.0125*(v + 55.7*mV)/mV)/ms : Hz

da/dt = gate_warming*(a_inf - a)/tau_a : 1
a_inf = (0.0761*exp(0.0314*(v + 94.22*mV)/mV)/(1 + exp(0.0346*(v + 1.17*mV)/mV)))**(1.0/3) : 1
tau_a = (0.3632 + 1.158/(1 + exp(0.0497*(v + 55.96*mV)/mV)))*ms : second

db/dt = gate_warming*(b_inf - b)/tau_b : 1
b_inf = (1/(1 + exp(0.0688*(v + 53.3*mV)/mV)))**4 : 1
tau_b = (1.24 + 2.678/(1 + exp(0.0624*(v + 50*mV)/mV)))*ms : second
"""

# The rest state of gates with opening and closing rates, by name: "m" -> "alpha_m/(alpha_m + beta_m)".
REST = {gate: f"alpha_{gate}/(alpha_{gate} + beta_{gate})" for gate in "mhnqr"}
