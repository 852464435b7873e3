//! Rule sets, simulation, plans, applications.
