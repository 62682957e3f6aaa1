"""How good the forecast is: rolling-origin backtests against rivals, and last night's errors."""
