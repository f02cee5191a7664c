"""Mixed-integer models of best subset selection: built here, solved upstairs or elsewhere. One file a formulation."""
