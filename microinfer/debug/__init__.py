"""Where two runs part, why, and how a number of one came about. The rooms, by question:

    where do they part?    diff, isolate; compare runs both sides over many samples
      the other side       sources: recorded (names, dump) or live (oracles, oracle_process)
    why?                   diagnose, trial; hypotheses/ has the mistakes that are known
    how did it come about? explain; explaining/ by families of operators, over arithmetic,
                           operands and weighted; c_source finds the C
      its page             page, page_data, page_texts, wasm
    what was lost?         accuracy (facts in accuracy_facts, runs in accuracy_run), given,
                           layer_error, judged
      in reals             float_replay, float_ops, float_weighted, float_recurrent, constants;
                           float_twin finds the float model's weights
      what would help?     remedies, reason, simulation, equalisation, weight_grid
    all of it              report (facts in report_facts), summary in words, cost, histogram

Pages are drawn in microinfer/pages/.
"""
