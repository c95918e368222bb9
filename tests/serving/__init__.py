"""Applications behind `bzz.serve`, in processes of their own."""
