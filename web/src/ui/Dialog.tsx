import { type ReactNode, useEffect, useRef } from "react";

/** A modal dialog: the browser keeps the focus inside and Esc closes it. */
export function Dialog(props: {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      className="dialog"
      aria-label={props.title}
      data-testid={props.testId}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <div className="dialog-head">
        <h2 className="font-semibold">{props.title}</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={props.onClose}>
          ✕
        </button>
      </div>
      <div className="dialog-body">{props.children}</div>
    </dialog>
  );
}
