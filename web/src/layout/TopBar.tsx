import { AccountMenu } from "../account/AccountMenu";
import { MarketHeader } from "../market/MarketHeader";
import { useScreen } from "../state/screen";
import { useSettings } from "../state/settings";
import { Guard } from "../ui/Failure";

export function TopBar() {
  const { theme, set } = useSettings();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="top-bar">
      <h1 className="brand">Forkast</h1>
      <Guard name="header">
        <MarketHeader />
      </Guard>
      <div className="top-tools">
        <AccountMenu />
        <button
          type="button"
          className="icon-button"
          aria-label={`Use the ${other} theme`}
          title={`Use the ${other} theme`}
          data-testid="theme-toggle"
          onClick={() => set({ theme: other })}
        >
          {theme === "dark" ? "☀" : "☾"}
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="Keyboard help"
          title="Keyboard help (?)"
          data-testid="help-button"
          onClick={() => useScreen.setState({ help: true })}
        >
          ?
        </button>
      </div>
    </header>
  );
}
