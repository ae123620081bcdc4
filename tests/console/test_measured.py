"""What the console counts of itself."""

from sonovan.console.measured import ConsoleMeasured


def test_answers_are_counted_by_door_and_first_digit() -> None:
    measured = ConsoleMeasured()
    for status, elapsed_s in ((200, 0.2), (204, 0.2), (503, 2.0)):
        measured.answered("/reading/{screening_id}", status, elapsed_s)
    lines = measured.text(ready=False).splitlines()
    door = 'door="/reading/{screening_id}"'
    assert "sonovan_console_ready{} 0" in lines
    assert f'sonovan_console_requests_total{{{door},status="2xx"}} 2' in lines
    assert f'sonovan_console_requests_total{{{door},status="5xx"}} 1' in lines
    assert f'sonovan_console_request_seconds_bucket{{{door},le="0.3"}} 2' in lines
    assert f'sonovan_console_request_seconds_bucket{{{door},le="+Inf"}} 3' in lines
    assert f"sonovan_console_request_seconds_sum{{{door}}} 2.4" in lines
